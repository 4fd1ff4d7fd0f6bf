/* The types use it; the library that has it knows objects that ExtendScript lacks. */
type Extract<T, U> = T extends U ? T : never;
