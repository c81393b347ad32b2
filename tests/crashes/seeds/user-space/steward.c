/* The first process of a house; it finds its list of rooms empty and ends. */
#include <stdio.h>

int main(void)
{
	volatile int rooms = 0;

	if (!rooms) {
		puts("steward: no rooms");
		return 1;
	}
	for (;;)
		;
}
