/* Winnows grain by one of two sizes; for a third there is an instruction that no processor has. */
#include <stdio.h>

static __attribute__((noinline)) int mesh(int size)
{
	switch (size) {
	case 1:
		return 10;
	case 2:
		return 25;
	default:
		__builtin_trap();
	}
}

int main(int argc, char **argv)
{
	(void)argv;
	printf("%d\n", mesh(argc + 2));
	return 0;
}
