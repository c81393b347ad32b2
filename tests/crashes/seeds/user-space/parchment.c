/* Calls what it has written into a buffer, which is no place for code. */
#include <stdio.h>

static unsigned char sheet[64] __attribute__((aligned(64)));

int main(void)
{
	int (*volatile read_aloud)(void) = (int (*)(void))(void *)sheet;

	sheet[0] = 0xc3;
	printf("%d\n", read_aloud());
	return 0;
}
