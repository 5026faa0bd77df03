/** Something that the policy does not let pass. */
export interface Finding {
  /** As exceptions and reports name it: `package:telnet`. */
  readonly id: string;
  readonly code: string;
  /** What was found, what is allowed, and what to do. */
  readonly message: string;
}
