import { scan } from '../../secrets/scan.ts';

/** Names whose values are secrets: cloud-init's own, and what people call theirs. */
const SECRET =
  /(?:^|[-_.])(?:passwd|password|passphrase|secret|token|api[-_]?key|private[-_]?key|registration_key|activation[-_]key|validation_key|secret_key|access_key|token_key|consumer_key)$|^(?:rsa|dsa|ecdsa|ed25519)_private$|^private-cert$|^(?:pgpassword|mysql_pwd|sshpass|rediscli_auth|(?:vault|bao)_secret_id)$/i;
/** What locks an account, or lets cloud-init make up a password on the machine; and the path of a file that is there. */
const NO_SECRET = /^(?:|[!*x]+|R|RANDOM|\/(?:[\w.-]+\/)+[\w.-]+)$/;
/** Values of settings that only sound like a secret: `PasswordAuthentication`'s neighbours, and short numbers. */
const SETTING =
  /^(?:yes|no|true|false|on|off|none|null|nil|~|ask|prompt|required|optional|enabled|disabled|\d{1,5})$/i;
/** The sources of nsswitch.conf, which has a line for `passwd`. */
const NAME_SERVICE = /^(?:(?:files|compat|systemd|sss|ldap|winbind|nis|db|extrausers|\[[^\]]*\])(?:\s+|$))+$/;
/** A variable, a command or a template's expression: the value comes to be on the machine. */
const MADE_THERE = /\$[({A-Za-z_\d@*?!#]|\{\{|`|<%|%\{|%\([a-z]/i;
/** A password's hash, as crypt(3) has it: no variable. */
const HASH = /^\$(?:[156y]|2[abxy]?|gy|argon2\w*|scrypt)\$/;

/** Whether the value under this name is a secret: `db_password`, `clientSecret`, `ed25519_private`. */
export function isSecretName(name: string): boolean {
  return SECRET.test(name.replace(/([a-z0-9])([A-Z])/g, '$1_$2'));
}

/** Whether a value under such a name may stand there: `!`, `RANDOM`, the path of a file. */
export function isHarmless(value: string): boolean {
  return NO_SECRET.test(value);
}

/** The same for scripts and files, where a value may also be a variable, a reference or a setting. */
export function isHarmlessInText(value: string): boolean {
  return (
    isHarmless(value) ||
    SETTING.test(value) ||
    NAME_SERVICE.test(value) ||
    (MADE_THERE.test(value) && !HASH.test(value)) ||
    hasReference(value)
  );
}

/** Whether a reference stands in a text: its value is fetched where it is needed. */
export function hasReference(text: string): boolean {
  return scan(text).some((piece) => typeof piece !== 'string');
}
