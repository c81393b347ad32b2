/* Has the memory below one of its pages declared bad, and then uses it. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif

int main(void)
{
	long size = sysconf(_SC_PAGESIZE);
	volatile char *page =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return 1;
	page[0] = 'i';
	if (madvise((void *)page, size, MADV_HWPOISON))
		perror("madvise");
	return page[0];
}
