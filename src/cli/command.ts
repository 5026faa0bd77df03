import { Command } from 'commander';

/** Not among commander's types; what it calls for a flag that it does not know. */
type Unknown = (this: Command, flag: string) => void;
const { unknownOption } = Command.prototype as unknown as { unknownOption: Unknown };

/** Commander's, which looks for a similar flag also where a value is written to the wrong one, as in `--on-eror=ask`. */
export class SuggestingCommand extends Command {
  override createCommand(name?: string): SuggestingCommand {
    return new SuggestingCommand(name);
  }

  unknownOption(flag: string): void {
    unknownOption.call(this, flag.replace(/=.*/s, ''));
  }
}
