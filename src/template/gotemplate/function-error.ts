/** A function of a template refuses its arguments. */
export class GoFunctionError extends Error {}
