/* Follows a way mark that was overwritten by something that is no address. */
#include <stdio.h>

static volatile unsigned long mark = (unsigned long)0x6461655264616552;

static __attribute__((noinline)) int height(const volatile int *hill)
{
	return *hill;
}

int main(void)
{
	printf("%d\n", height((const volatile int *)mark));
	return 0;
}
