import { describe, expect, test } from 'vitest';
import { ELSEWHERE, standardFunctions } from '../../../src/template/functions/index.ts';
import { UNKNOWN } from '../../../src/template/value/value.ts';
import { NOW, run, testScope, value } from '../evaluate-text.ts';

/** All of Packer's functions (1.9, and rsadecrypt, base64gzip and others of later versions). */
const NAMES = `
  abs abspath alltrue anytrue aws_secretsmanager aws_secretsmanager_raw base64decode base64encode
  base64gzip basename bcrypt can ceil chomp chunklist cidrhost cidrnetmask cidrsubnet cidrsubnets coalesce
  coalescelist compact concat consul_key contains convert csvdecode dirname distinct element endswith env
  file filebase64 fileexists fileset flatten floor format formatdate formatlist indent index join
  jsondecode jsonencode keys legacy_isotime legacy_strftime length log lookup lower max md5 merge min
  parseint pathexpand pow range regex regex_replace regexall replace reverse rfc3339_parse rsadecrypt
  setintersection setproduct setunion sha1 sha256 sha512 signum slice sort split startswith strcontains
  strrev substr sum templatefile textdecodebase64 textencodebase64 timeadd timestamp title trim trimprefix
  trimspace trimsuffix try unix_timestamp_parse upper urlencode uuidv4 uuidv5 values vault yamldecode
  yamlencode zipmap
`
  .trim()
  .split(/\s+/);

/** Built into the evaluator. */
const SPECIAL = ['try', 'can', 'convert'];
/** Answers are in functions.test.ts and services.test.ts: they need files, a service, or are others each time. */
const ELSEWHERE_TESTED = [
  'abspath',
  'aws_secretsmanager',
  'aws_secretsmanager_raw',
  'base64gzip',
  'bcrypt',
  'consul_key',
  'env',
  'file',
  'filebase64',
  'fileexists',
  'fileset',
  'rsadecrypt',
  'templatefile',
  'uuidv4',
  'vault',
];

/** Answers that Packer gives as well, and some that only later versions of it give. */
const ANSWERS: readonly (readonly [string, unknown])[] = [
  ['abs(-1.5)', 1.5],
  ['alltrue([true, "true"])', true],
  ['alltrue([true, false])', false],
  ['anytrue([])', false],
  ['anytrue([false, true])', true],
  ['base64decode("aGVsbG8=")', 'hello'],
  ['base64encode("hello")', 'aGVsbG8='],
  ['basename("/a/b.txt")', 'b.txt'],
  ['basename("/")', '/'],
  ['ceil(1.2)', 2],
  ['ceil(-1.2)', -1],
  ['chomp("a\\r\\n\\n")', 'a'],
  ['chunklist(["a", "b", "c"], 2)', [['a', 'b'], ['c']]],
  ['cidrhost("10.0.0.0/8", 5)', '10.0.0.5'],
  ['cidrhost("10.0.0.0/8", -2)', '10.255.255.254'],
  ['cidrhost("fd00::/8", 10)', 'fd00::a'],
  ['cidrnetmask("10.0.0.0/12")', '255.240.0.0'],
  ['cidrsubnet("10.0.0.0/8", 8, 2)', '10.2.0.0/16'],
  ['cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)', 'fd00:fd12:3456:7800:a200::/72'],
  ['cidrsubnets("10.1.0.0/16", 4, 4, 8)', ['10.1.0.0/20', '10.1.16.0/20', '10.1.32.0/24']],
  ['coalesce(null, "", "b", "c")', 'b'],
  ['coalesce(null, 1)', 1],
  ['coalescelist([], ["a"])', ['a']],
  ['compact(["a", "", null, "b"])', ['a', 'b']],
  ['concat(["a"], [1], [])', ['a', 1]],
  ['contains(["a", "b"], "b")', true],
  ['contains([1, 2], "1")', false],
  ['convert([1, 2], list(string))', ['1', '2']],
  ['csvdecode("a,b\\n1,\\"x \\"\\"y\\"\\"\\"\\n")', [{ a: '1', b: 'x "y"' }]],
  ['dirname("/a/b/c.txt")', '/a/b'],
  ['dirname("c.txt")', '.'],
  ['distinct(["a", "b", "a"])', ['a', 'b']],
  ['element(["a", "b"], 3)', 'b'],
  ['endswith("hello", "lo")', true],
  ['flatten([["a"], ["b", ["c", []]]])', ['a', 'b', 'c']],
  ['floor(-1.2)', -2],
  [
    'format("%5.2f|%d|%s|%v|%q|%05d|%x|%t|%e|%-5s|%+d|%#v", 3.14159, 42, "a", [1], "q", 42, 255, true, 1.5, "x", 5, { a = 1 })',
    ' 3.14|42|a|[1]|"q"|00042|ff|true|1.500000e+00|x    |+5|{"a":1}',
  ],
  ['format("%[2]s %[1]s %%", "a", "b")', 'b a %'],
  ['formatdate("DD MMM YYYY hh:mm ZZZ", "2018-01-02T23:12:01Z")', '02 Jan 2018 23:12 UTC'],
  [
    'formatdate("EEEE, DD-MMM-YY hh:mm:ss ZZZ", "2018-01-02T23:12:01-08:00")',
    'Tuesday, 02-Jan-18 23:12:01 -0800',
  ],
  [
    'formatdate("h:mm AA \'o\'\'clock\' ZZZZZ Z", "2018-01-02T23:12:01+05:30")',
    "23:12 PM o'clock +05:30 +05:30",
  ],
  ['formatlist("%s-%s", ["a", "b"], "z")', ['a-z', 'b-z']],
  ['indent(2, "a\\nb")', 'a\n  b'],
  ['index(["a", "b"], "b")', 1],
  ['join(",", ["a", "b"], ["c"])', 'a,b,c'],
  ['jsondecode("{\\"a\\": [1, 2.5, null, \\"x\\"]}")', { a: [1, 2.5, null, 'x'] }],
  ['jsonencode({ b = "<&>", a = [1.5, null, true] })', '{"a":[1.5,null,true],"b":"\\u003c\\u0026\\u003e"}'],
  ['keys({ b = 1, a = 2 })', ['a', 'b']],
  ['legacy_isotime("2006-01-02 15:04:05")', '2024-02-29 13:04:05'],
  ['legacy_isotime()', '2024-02-29T13:04:05Z'],
  ['legacy_strftime("%Y%m%d %j %a")', '20240229 060 Thu'],
  ['length("héé")', 3],
  ['length({ a = 1 })', 1],
  ['log(16, 2)', 4],
  ['lookup({ a = 1 }, "a", 9)', 1],
  ['lookup({ a = 1 }, "b", 9)', 9],
  ['lower("ÀB")', 'àb'],
  ['max(1, 3, 2)', 3],
  ['md5("hello")', '5d41402abc4b2a76b9719d911017c592'],
  ['merge({ a = 1, b = 2 }, { b = "x" }, null)', { a: 1, b: 'x' }],
  ['min(3, 1, 2)', 1],
  ['parseint("ff", 16)', 255],
  ['parseint("-101", 2)', -5],
  ['pathexpand("/etc")', '/etc'],
  ['pow(2, 10)', 1024],
  ['pow(4, 0.5)', 2],
  ['range(3)', [0, 1, 2]],
  ['range(1, 7, 2)', [1, 3, 5]],
  ['range(3, 0)', [3, 2, 1]],
  ['regex("[a-z]+", "123abc")', 'abc'],
  ['regex("(a)(b)?", "ac")', ['a', null]],
  ['regex("(?P<year>[0-9]{4})-(?P<month>[0-9]{2})", "on 2024-02-29")', { year: '2024', month: '02' }],
  ['regexall("[a-z]+", "ab 12 cd")', ['ab', 'cd']],
  ['regex_replace("hello world", "o(.)", "0$${1}1")', 'hell0 1w0r1ld'],
  ['replace("a.b.c", ".", "-")', 'a-b-c'],
  ['reverse(["a", "b"])', ['b', 'a']],
  ['rfc3339_parse("2023-07-25T23:43:16Z").iso_week', 30],
  ['rfc3339_parse("2023-07-25 23:43:16-08:00").unix', 1690357396],
  ['setintersection(["a", "b"], ["b", "c"])', ['b']],
  [
    'setproduct(["a", "b"], ["x"])',
    [
      ['a', 'x'],
      ['b', 'x'],
    ],
  ],
  ['setunion(["b"], ["a", "b"])', ['a', 'b']],
  ['sha1("hello")', 'aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d'],
  ['sha256("")', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  [
    'sha512("hello") == "9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043"',
    true,
  ],
  ['signum(-3)', -1],
  ['slice(["a", "b", "c"], 1, 2)', ['b']],
  ['sort(["b", "a", "C"])', ['C', 'a', 'b']],
  ['split(",", "a,b,")', ['a', 'b', '']],
  ['startswith("hello", "he")', true],
  ['strcontains("hello", "ell")', true],
  ['strrev("añb")', 'bña'],
  ['substr("hello", 1, -1)', 'ello'],
  ['substr("hello", -3, 2)', 'll'],
  ['sum([0.1, 0.2])', 0.3],
  ['textdecodebase64("aABpAA==", "UTF-16LE")', 'hi'],
  ['textencodebase64("hi", "UTF-16LE")', 'aABpAA=='],
  ['timeadd("2017-11-22T00:00:00Z", "1h10m")', '2017-11-22T01:10:00Z'],
  ['timestamp()', '2024-02-29T13:04:05Z'],
  ['title("it\'s a-b c_d ÀB")', "It'S A-B C_d ÀB"],
  ['trim("?!hello?!", "!?")', 'hello'],
  ['trimprefix("helloworld", "hello")', 'world'],
  ['trimspace("\\t a \\n")', 'a'],
  ['trimsuffix("helloworld", "world")', 'hello'],
  ['unix_timestamp_parse(1690328596).rfc3339', '2023-07-25T23:43:16Z'],
  ['upper("straße")', 'STRAßE'],
  ['urlencode("a b&c/ü!*()")', 'a+b%26c%2F%C3%BC%21%2A%28%29'],
  ['uuidv5("dns", "www.example.com")', '2ed6657d-e927-568b-95e1-2665a8aea6a2'],
  ['values({ b = 1, a = 2 })', [2, 1]],
  [
    'yamlencode({ a = [1, { b = 2, c = 3 }], d = "x\\ny\\n", e = {}, f = [], g = [[1, 2]] })',
    '"a":\n- 1\n- "b": 2\n  "c": 3\n"d": |\n  x\n  y\n"e": {}\n"f": []\n"g":\n- - 1\n  - 2\n',
  ],
  ['can(upper("a"))', true],
  ['can(local.x)', false],
  ['try(local.x, 1)', 1],
  ['convert("1", number)', 1],
  [
    'yamldecode("a: [1, yes, ~, 0x10, 2001-12-14]\\nb: {<<: {c: x}}")',
    { a: [1, true, null, '0x10', '2001-12-14T00:00:00Z'], b: { c: 'x' } },
  ],
  ['yamldecode("- &x 0.1\\n- *x\\n- \\"yes\\"")', [0.1, 0.1, 'yes']],
  ['yamlencode(yamldecode("a: \\n- |\\n  x\\n\\n- y"))', '"a":\n- |\n  x\n- true\n'],
  ['zipmap(["a", "b"], [1, 2])', { a: 1, b: 2 }],
];

const REFUSED: readonly (readonly [string, string | RegExp])[] = [
  ['upper()', 'upper: it takes 1 argument (str), got 0'],
  ['upper(null)', 'upper: str must not be null'],
  ['abs("x")', 'abs: num: expected number, got string "x"'],
  ['base64decode("?")', 'base64decode: this is no base64'],
  ['base64decode("/w==")', 'base64decode: the decoded text is not UTF-8 text'],
  ['bcrypt("x", 99)', 'bcrypt: the cost must be a whole number from 4 to 16, got 99'],
  ['chunklist([1], -1)', 'chunklist: the size must not be negative'],
  ['cidrhost("10.0.0.0/30", 4)', 'cidrhost: there is no host 4 in a block of 4 addresses'],
  ['cidrsubnet("10.0.0.0/30", 4, 0)', 'cidrsubnet: 4 more bits do not fit: the block has /30 of 32'],
  ['cidrnetmask("10.0.0.0")', 'cidrnetmask: expected an address block such as "10.0.0.0/16"; got "10.0.0.0"'],
  ['coalesce(null, "")', 'coalesce: no argument is neither null nor an empty string'],
  ['csvdecode("a,b\\n1")', 'csvdecode: record 2 has 1 fields and the header 2'],
  ['element([], 0)', 'element: the list is empty'],
  ['env("HOME")', 'the function "env" can\'t be used here'],
  ['file("nope")', /^file: nope can't be read: ENOENT/],
  ['format("%d")', 'format: no argument for %d: 1 needed, got 0'],
  ['format("%s", "a", "b")', 'format: too many arguments: 1 used, got 2'],
  [
    'formatdate("x", "2018-01-02T23:12:01Z")',
    'formatdate: unknown sequence "x"; text is written in single quotes',
  ],
  ['formatlist("%s%s", ["a"], ["b", "c"])', 'formatlist: the lists have different lengths: 1, 2'],
  ['index(["a"], "b")', 'index: the value is not in the list'],
  ['jsondecode("{")', /^jsondecode: this is no JSON/],
  ['lookup({}, "a")', 'lookup: there is no element with the key "a"'],
  ['merge([1])', 'merge: expected a map or object, got tuple([number])'],
  ['parseint("12", 1)', 'parseint: base must be from 2 to 62'],
  ['parseint("zz", 10)', 'parseint: cannot parse "zz" as a base 10 integer'],
  ['pow(10, 10000)', 'pow: the number is out of range'],
  ['range(1, 5, 0)', 'range: step must not be 0'],
  ['range(5000)', 'range: more than 1024 numbers'],
  ['regex("(", "x")', 'regex: "(": a "(" has no ")"'],
  ['regex("a", "b")', 'regex: the pattern does not match any part of the string'],
  ['rsadecrypt("AAAA", "x")', /^rsadecrypt: the key is no PEM private key/],
  ['slice([1], 0, 2)', 'slice: end index 2 must be from 0 to 1'],
  ['sum([])', 'sum: the list is empty'],
  ['timeadd("2017-11-22T00:00:00Z", "1 day")', 'timeadd: expected a duration such as "10m"; got "1 day"'],
  ['timeadd("tomorrow", "1h")', /^timeadd: expected a timestamp of RFC 3339/],
  ['uuidv5("x", "y")', 'uuidv5: expected dns, url, oid, x500 or a UUID; got "x"'],
  ['zipmap(["a"], [])', 'zipmap: 1 keys and 0 values'],
  ['abspath(null)', 'abspath: path must not be null'],
  ['alltrue(["x"])', 'alltrue: list: at [0]: expected bool, got string "x"'],
  ['anytrue(true)', 'anytrue: list: expected list(bool), got bool'],
  ['aws_secretsmanager("a")', /^aws_secretsmanager: the service is not configured\. Set AWS_ACCESS_KEY_ID/],
  [
    'aws_secretsmanager_raw("a")',
    /^aws_secretsmanager_raw: the service is not configured\. Set AWS_ACCESS_KEY_ID/,
  ],
  ['base64encode([])', 'base64encode: str: expected string, got tuple([])'],
  ['base64gzip()', 'base64gzip: it takes 1 argument (str), got 0'],
  ['basename("a", "b")', 'basename: it takes 1 argument (path), got 2'],
  ['can()', 'can: it takes 1 argument, got 0'],
  ['ceil("x")', 'ceil: num: expected number, got string "x"'],
  ['chomp(null)', 'chomp: str must not be null'],
  ['cidrsubnets("10.0.0.0/8", 33)', 'cidrsubnets: each number of new bits must be from 1 to 32'],
  ['coalescelist([])', 'coalescelist: every list is empty'],
  ['compact([[]])', 'compact: list: at [0]: expected string, got tuple([])'],
  ['concat("a")', 'concat: expected a list, set or tuple, got string'],
  [
    'consul_key("a")',
    'consul_key: the service is not configured. Set CONSUL_HTTP_ADDR, and CONSUL_HTTP_TOKEN if needed.',
  ],
  ['contains("a", "a")', 'contains: expected a list, set or tuple, got string'],
  ['convert("x", number)', 'convert: expected number, got string "x"'],
  ['dirname()', 'dirname: it takes 1 argument (path), got 0'],
  ['distinct("a")', 'distinct: expected a list, set or tuple, got string'],
  ['endswith("a")', 'endswith: it takes 2 arguments (str, suffix), got 1'],
  ['filebase64("nope")', /^filebase64: nope can't be read: ENOENT/],
  ['fileexists(null)', 'fileexists: path must not be null'],
  ['fileset(".", "[")', 'fileset: "[" is no pattern'],
  ['flatten("a")', 'flatten: expected a list, set or tuple, got string'],
  ['floor(true)', 'floor: num: expected number, got bool'],
  ['format("%d", 1.5)', 'format: an integer is required'],
  ['format("%d", "x")', 'format: expected number, got string "x"'],
  ['format("%z", 1)', 'format: unsupported format verb %z'],
  [
    'formatdate("YYY", "2020-01-01T00:00:00Z")',
    'formatdate: unknown sequence "YYY"; text is written in single quotes',
  ],
  [
    'formatdate("YYYY", "2020-02-30T00:00:00Z")',
    'formatdate: expected a timestamp of RFC 3339, such as 2024-01-31T12:00:00Z; got "2020-02-30T00:00:00Z"',
  ],
  ['indent(-1, "a")', 'indent: spaces must be from 0 to 10000'],
  ['indent(1.5, "a")', 'indent: expected a whole number; got 1.5'],
  ['join(",")', 'join: at least one list is required'],
  ['join(",", [null])', 'join: a list element is null'],
  ['jsonencode()', 'jsonencode: it takes 1 argument (value), got 0'],
  ['keys([])', 'keys: expected a map or object, got tuple([])'],
  ['legacy_isotime(1, 2)', 'legacy_isotime: it takes at most 1 argument, got 2'],
  ['legacy_strftime("%Q")', 'legacy_strftime: the format has an unknown directive'],
  ['length(1)', 'length: expected a string, list, set or map, got number'],
  ['log(0, 2)', 'log: the logarithm of 0 to the base 2 is no number'],
  ['lower([])', 'lower: str: expected string, got tuple([])'],
  ['max()', 'max: at least one number is required'],
  ['md5(null)', 'md5: str must not be null'],
  ['min("a")', 'min: numbers: expected number, got string "a"'],
  ['pathexpand("~root/x")', "pathexpand: the home folder of another user can't be told"],
  ['regex_replace("a", "(", "b")', 'regex_replace: "(": a "(" has no ")"'],
  ['regexall("[", "a")', 'regexall: "[": a "[" has no "]"'],
  ['replace("a", "b")', 'replace: it takes 3 arguments (str, substr, replace), got 2'],
  ['reverse("abc")', 'reverse: expected a list, set or tuple, got string'],
  [
    'rfc3339_parse("2020")',
    'rfc3339_parse: expected a timestamp of RFC 3339, such as 2024-01-31T12:00:00Z; got "2020"',
  ],
  ['setintersection()', 'setintersection: it takes at least 1 argument (first_set, other_sets...), got 0'],
  ['setproduct(["a"])', 'setproduct: at least two lists or sets are required'],
  ['setunion("a")', 'setunion: first_set: expected set(any), got string "a"'],
  ['sha1([])', 'sha1: str: expected string, got tuple([])'],
  ['sha256(null)', 'sha256: str must not be null'],
  ['sha512()', 'sha512: it takes 1 argument (str), got 0'],
  ['signum(1.5)', 'signum: expected a whole number; got 1.5'],
  ['sort([[]])', 'sort: list: at [0]: expected string, got tuple([])'],
  ['split(",", null)', 'split: str must not be null'],
  ['startswith("a", [])', 'startswith: prefix: expected string, got tuple([])'],
  ['strcontains("a")', 'strcontains: it takes 2 arguments (str, substr), got 1'],
  ['strrev({})', 'strrev: str: expected string, got object({})'],
  ['substr("a", 0)', 'substr: it takes 3 arguments (str, offset, length), got 2'],
  ['substr("a", 0.5, 1)', 'substr: expected a whole number; got 0.5'],
  ['templatefile("nope", {})', /^templatefile: nope can't be read: ENOENT/],
  ['textdecodebase64("AA==", "nope")', 'textdecodebase64: "nope" is no known character set'],
  ['textencodebase64("ü", "us-ascii")', 'textencodebase64: "ü" can\'t be written in us-ascii'],
  ['timestamp(1)', 'timestamp: it takes 0 arguments, got 1'],
  ['title([])', 'title: str: expected string, got tuple([])'],
  ['trim("a")', 'trim: it takes 2 arguments (str, cutset), got 1'],
  ['trimprefix("a")', 'trimprefix: it takes 2 arguments (str, prefix), got 1'],
  ['trimspace(null)', 'trimspace: str must not be null'],
  ['trimsuffix("a")', 'trimsuffix: it takes 2 arguments (str, suffix), got 1'],
  ['try()', 'try: it takes at least 1 argument'],
  ['try(local.a, 1/0)', 'try: every argument failed: there is no variable "local" here; division by zero'],
  ['unix_timestamp_parse("x")', 'unix_timestamp_parse: unix_timestamp: expected number, got string "x"'],
  ['urlencode([])', 'urlencode: str: expected string, got tuple([])'],
  ['uuidv4(1)', 'uuidv4: it takes 0 arguments, got 1'],
  ['values("a")', 'values: expected a map or object, got string'],
  ['vault("a", "b")', 'vault: the service is not configured. Set VAULT_TOKEN and VAULT_ADDR.'],
  [
    'yamldecode("a: b: c")',
    'yamldecode: this is no YAML, seen on line 1, column 4 of the text: Nested mappings are not allowed in compact mappings',
  ],
  ['yamldecode("a: !thing 1")', 'yamldecode: line 1 of the text: the tag !thing is not known here'],
  [
    'yamldecode("a: .inf")',
    "yamldecode: line 1 of the text: .inf is no finite number, and others can't be represented",
  ],
  ['yamldecode("a: 1\\n---\\nb: 2")', 'yamldecode: only one YAML document is allowed'],
  ['yamldecode("[*nope]")', 'yamldecode: line 1 of the text: there is no anchor "nope" before this alias'],
  ['yamldecode("&a [*a]")', 'yamldecode: line 1 of the text: the anchor "a" can\'t be used inside itself'],
  ['yamldecode("? [a]\\n: 1")', 'yamldecode: line 1 of the text: a key must be a string'],
  ['yamldecode("~: 1")', 'yamldecode: line 1 of the text: a key must not be null'],
  ['yamldecode("")', 'yamldecode: expected a YAML document; got none'],
  ['yamldecode("a: !!bool maybe")', 'yamldecode: line 1 of the text: "maybe" is no !!bool'],
  ['yamlencode()', 'yamlencode: it takes 1 argument (value), got 0'],
  ['element([1], 0.5)', 'element: expected a whole number; got 0.5'],
  ['chunklist([1], 0.5)', 'chunklist: expected a whole number; got 0.5'],
  [
    'cidrnetmask("10.0.0.0/33")',
    'cidrnetmask: expected an address block such as "10.0.0.0/16"; got "10.0.0.0/33"',
  ],
];

const nameOf = (text: string): string => /^[a-z0-9_]+/.exec(text)?.[0] as string;

test('every function of Packer is there, and no other', () => {
  const ours = [...standardFunctions({ dir: '/', now: NOW, env: {} }).keys(), ...SPECIAL];
  expect(ours.sort()).toEqual(NAMES);
  for (const name of ELSEWHERE.keys()) expect(NAMES).toContain(name);
});

test('every function has an answer here and a refusal', () => {
  const answered = new Set(ANSWERS.map(([text]) => nameOf(text)));
  const refused = new Set(REFUSED.map(([text]) => nameOf(text)));
  expect(NAMES.filter((name) => !answered.has(name))).toEqual(ELSEWHERE_TESTED);
  expect(NAMES.filter((name) => !refused.has(name))).toEqual([]);
});

describe('known answers', () => {
  test.each(ANSWERS)('%s', (text, expected) => expect(value(text)).toEqual(expected));
});

describe('refused arguments', () => {
  test.each(REFUSED)('%s', (text, message) => {
    const { errors } = run(text, testScope('/nonexistent'));
    expect(errors).toHaveLength(1);
    if (typeof message === 'string') expect(errors[0]).toBe(message);
    else expect(errors[0]).toMatch(message);
  });
});

describe('what is not known', () => {
  const unknowable = NAMES.filter((name) => !SPECIAL.includes(name) && name !== 'env');
  test.each(unknowable)('%s of unknown arguments answers without an error', (name) => {
    const spec = testScope().functions.get(name);
    const names = [...(spec?.parameters ?? []), ...(spec?.rest ? [spec.rest] : [])].map(() => 'u');
    const scope = { ...testScope(), variables: new Map([['u', UNKNOWN]]) };
    expect(run(`${name}(${names.join(', ')})`, scope).errors).toEqual([]);
  });
});
