/* Stores grain until there is no more room, and never sells any. */
#include <stdlib.h>
#include <string.h>

int main(void)
{
	char *volatile sack;

	while ((sack = malloc(1 << 20)))
		memset(sack, 'g', 1 << 20);
	return 1;
}
