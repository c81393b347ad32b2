/* Compiled for each architecture into the .o files here: gcc -g -O0 -c lines.c */
int depth;
int *slot;

__attribute__((section(".init.text"))) int begin(int n)
{
	int sum = n;

	for (int i = 0; i < n; i++)
		sum += depth * i;
	*slot = sum;
	return sum + 1;
}

int end(int *from)
{
	depth = from[2];
	if (depth > 7)
		*slot = depth;
	return *slot - 1;
}
