/** How to log in to one machine. */
export interface SshLogin {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password?: string;
  /** Private keys in OpenSSH's or PEM's form. */
  readonly privateKeys?: readonly string[];
  /** Socket of the user's agent. */
  readonly agent?: string;
}

export interface SshSettings extends SshLogin {
  /** Machine to go through. */
  readonly bastion?: SshLogin;
  readonly ciphers?: readonly string[];
  readonly keyExchanges?: readonly string[];
  /** How long to try to reach the machine. */
  readonly timeoutMs: number;
  /** How often a login may be refused before that counts. */
  readonly handshakeAttempts: number;
  /** Milliseconds between signs of life. */
  readonly keepAliveMs: number;
  /** Milliseconds to wait when the machine has let us in for the first time, before anything is run. */
  readonly pauseMs: number;
  /** Commands get a terminal. */
  readonly pty: boolean;
  /** Commands reach the user's agent. */
  readonly forwardAgent: boolean;
}
