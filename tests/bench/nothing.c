/* SPDX-License-Identifier: MIT */

/* The program that is started: whatever it did would be measured too. */

int main(void)
{
	return 0;
}
