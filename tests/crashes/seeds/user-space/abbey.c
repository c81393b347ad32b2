/* Maps two pages of a book that has only one, and reads the second. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	long page = sysconf(_SC_PAGESIZE);
	FILE *book = tmpfile();
	volatile char *text;

	if (!book || ftruncate(fileno(book), page))
		return 1;
	text = mmap(NULL, 2 * page, PROT_READ, MAP_SHARED, fileno(book), 0);
	if (text == MAP_FAILED)
		return 1;
	return text[page];
}
