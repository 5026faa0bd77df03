/** A secret value, and what the template calls it: `var.password`. */
export interface NamedSecret {
  readonly name: string;
  readonly value: string;
}
