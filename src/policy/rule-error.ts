/** An entry of a list in a policy can't be read. */
export class RuleError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}
