/* Has its cloth measured by a library, and gives it none. */
long yards(const long *cloth);
void _start(void);

void _start(void)
{
	yards(0);
	for (;;)
		;
}
