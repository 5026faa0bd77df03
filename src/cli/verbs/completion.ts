import type { Command } from 'commander';
import { commandsOf } from '../completion/model.ts';
import { completionScript, shells } from '../completion/script.ts';
import type { Cli } from '../cli.ts';
import { addExamples } from '../template-options.ts';

export function configure(command: Command, cli: Cli): void {
  const shell = command.createArgument('<shell>', 'bash, zsh or fish').choices(shells);
  command.addArgument(shell).action((name: (typeof shells)[number]) => {
    cli.print(completionScript(name, commandsOf(command.parent as Command)));
  });
  addExamples(
    command,
    ['ingot completion bash > /etc/bash_completion.d/ingot', 'for everyone, in bash'],
    ['source <(ingot completion zsh)', 'in ~/.zshrc'],
    ['ingot completion fish > ~/.config/fish/completions/ingot.fish', 'in fish'],
  );
}
