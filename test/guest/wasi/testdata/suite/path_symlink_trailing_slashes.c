#include "preview1.h"

int main(void) {
	fails(E(NOENT), path_symlink, "source", root, "target/");
	ok(path_symlink, "source", root, "target");
	fails(E(EXIST), path_symlink, "source", root, "target");
	ok(path_unlink_file, root, "target");

	ok(path_create_directory, root, "target");
	fails(E(EXIST), path_symlink, "source", root, "target/");
	fails(E(EXIST), path_symlink, "source", root, "target");
	ok(path_remove_directory, root, "target");

	create(root, "target");
	fails(either(NOTDIR, EXIST), path_symlink, "source", root, "target/");
	fails(E(EXIST), path_symlink, "source", root, "target");
	ok(path_unlink_file, root, "target");
}
