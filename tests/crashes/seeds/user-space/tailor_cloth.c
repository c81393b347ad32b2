/* The library of tailor: measures a cloth. */
long yards(const long *cloth);

long yards(const long *cloth)
{
	return *(const volatile long *)cloth / 3;
}
