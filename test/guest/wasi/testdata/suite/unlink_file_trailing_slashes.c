#include "preview1.h"

int main(void) {
	ok(path_create_directory, root, "dir");
	fails(E(ISDIR), path_unlink_file, root, "dir");
	fails(E(ISDIR), path_unlink_file, root, "dir/");
	ok(path_remove_directory, root, "dir");
	create(root, "new");
	fails(E(NOTDIR), path_unlink_file, root, "new/");
	ok(path_unlink_file, root, "new");
	fails(E(NOENT), path_unlink_file, root, "new");
}
