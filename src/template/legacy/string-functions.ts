import type { Namespace } from '../eval/scope.ts';
import { joinMarks, type Marks, NO_MARKS, VOLATILE } from '../value/marks.ts';
import { legacyFunctions } from './functions.ts';
import type { LoadTimeFunctions } from './go-string.ts';

/**
 * The functions of plugins' strings, over the values of variables. With `onUndeclared`, `user` of a variable that is not
 * there is told and is an empty text, as in Packer's legacy JSON.
 */
export function stringFunctions(
  options: { readonly now: Date; readonly root: string },
  variables: Namespace,
  onUndeclared?: (name: string) => void,
): LoadTimeFunctions {
  let marks: Marks = NO_MARKS;
  const functions = legacyFunctions({
    ...options,
    user: (name) => {
      const value = variables.get(name);
      if (!value) onUndeclared?.(name);
      marks = joinMarks(marks, value?.marks ?? NO_MARKS);
      return typeof value?.data === 'string' ? value.data : '';
    },
    onVolatile: () => {
      marks = joinMarks(marks, VOLATILE);
    },
  });
  return {
    functions,
    isEmpty: (name) => onUndeclared !== undefined && variables.get(name) === undefined,
    takeMarks: () => {
      const taken = marks;
      marks = NO_MARKS;
      return taken;
    },
  };
}
