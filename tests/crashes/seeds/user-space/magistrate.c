/* Refuses a case by an assertion of its own, and aborts. */
#include <assert.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	(void)argv;
	assert(argc > 1);
	puts("heard");
	return 0;
}
