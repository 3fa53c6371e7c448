#include "preview1.h"

int main(void) {
	ok(path_create_directory, root, "dir");
	ok(path_remove_directory, root, "dir");
	ok(path_create_directory, root, "dir");
	ok(path_remove_directory, root, "dir/");
	fails(E(NOENT), path_remove_directory, root, "dir");
	create(root, "new");
	fails(E(NOTDIR), path_remove_directory, root, "new");
	fails(E(NOTDIR), path_remove_directory, root, "new/");
	ok(path_unlink_file, root, "new");
}
