/* Prints the author of a pamphlet that has none. */
#include <stdio.h>

struct pamphlet {
	const char *title;
	const char *author;
};

static __attribute__((noinline)) int initial(const struct pamphlet *pamphlet)
{
	return *(volatile const char *)pamphlet->author;
}

int main(void)
{
	struct pamphlet found = { .title = "On the Keeping of Bees" };

	printf("%c\n", initial(&found));
	return 0;
}
