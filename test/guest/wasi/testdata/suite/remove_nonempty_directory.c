#include "preview1.h"

int main(void) {
	ok(path_create_directory, root, "dir");
	ok(path_create_directory, root, "dir/nested");
	fails(E(NOTEMPTY), path_remove_directory, root, "dir");
	ok(path_remove_directory, root, "dir/nested");
	ok(path_remove_directory, root, "dir");
}
