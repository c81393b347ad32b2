/* Counts the pages of a volume by recursion, and never comes to the last one. */
#include <stdio.h>

static __attribute__((noinline)) unsigned long pages(volatile unsigned long volume)
{
	volatile char notes[256];

	notes[volume % sizeof(notes)] = (char)volume;
	return pages(volume + 1) + (unsigned long)notes[0];
}

int main(void)
{
	printf("%lu\n", pages(1));
	return 0;
}
