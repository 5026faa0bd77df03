import type { Command } from 'commander';
import { type CompletionModel, completionScript, shells } from '../completion-script.ts';
import type { Cli } from '../cli.ts';
import { addExamples } from '../template-options.ts';

export function configure(command: Command, cli: Cli): void {
  const shell = command.createArgument('<shell>', 'bash, zsh or fish').choices(shells);
  command.addArgument(shell).action((name: (typeof shells)[number]) => {
    cli.print(completionScript(name, modelOf(command.parent as Command)));
  });
  addExamples(
    command,
    ['ingot completion bash > /etc/bash_completion.d/ingot', 'for everyone, in bash'],
    ['source <(ingot completion zsh)', 'in ~/.zshrc'],
    ['ingot completion fish > ~/.config/fish/completions/ingot.fish', 'in fish'],
  );
}

/** Verbs, subcommands and flags of the whole program, as data. */
function modelOf(program: Command): CompletionModel {
  return program.commands.map((command) => ({
    name: command.name(),
    summary: command.description(),
    words: [
      ...command.commands.map((sub) => sub.name()),
      ...command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    ],
    flags: [...command.options, ...command.commands.flatMap((sub) => sub.options)].map((option) => ({
      name: option.long ?? option.flags,
      summary: option.description,
      takesValue: option.required,
      values: option.argChoices ?? [],
    })),
  }));
}
