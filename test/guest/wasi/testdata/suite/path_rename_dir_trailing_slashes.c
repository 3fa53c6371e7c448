#include "preview1.h"

int main(void) {
	ok(path_create_directory, root, "source");
	ok(path_rename, root, "source/", root, "target");
	ok(path_rename, root, "target", root, "source/");
	ok(path_rename, root, "source/", root, "target/");
	ok(path_rename, root, "target", root, "source");
	ok(path_remove_directory, root, "source");
	create(root, "source");
	fails(E(NOTDIR), path_rename, root, "source/", root, "target");
	fails(E(NOTDIR), path_rename, root, "source", root, "target/");
	ok(path_unlink_file, root, "source");
}
