/* Frees a note twice; the allocator finds it and aborts. */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	void *volatile note = malloc(64);

	free(note);
	free(note); /* once more */
	puts("done");
	return 0;
}
