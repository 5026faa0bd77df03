// How long a user waits for the smallest answer, next to Node's own start.
export default {
  title: 'Start-up',
  rounds: 11,
  async setup({ run, root }) {
    await run(process.execPath, [`${root}bin/ingot`, 'version']);
  },
  cases: [
    { name: 'node -e 0', run: async ({ run }) => void (await run(process.execPath, ['-e', '0'])) },
    {
      name: 'ingot version',
      run: async ({ run, root }) => void (await run(process.execPath, [`${root}bin/ingot`, 'version'])),
    },
    {
      name: 'ingot help',
      run: async ({ run, root }) => void (await run(process.execPath, [`${root}bin/ingot`, 'help'])),
    },
  ],
  limits: [{ of: 'ingot version', seconds: 0.1, why: 'start-up stays under 100 ms' }],
};
