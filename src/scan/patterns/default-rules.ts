/**
 * What Ingot looks for unless told otherwise, in the format of gitleaks. Only what is a secret by its form: a rule for
 * "password = …" finds hundreds of examples in every system. Sources: the issuers' own documentation of their tokens.
 */
export const DEFAULT_RULES = String.raw`
title = "Ingot's rules"

[[allowlists]]
description = "Documentation and translations hold examples"
paths = ['''^usr/share/(doc|man|info|locale|help)/''']

[[rules]]
id = "private-key"
description = "a private key"
regex = '''-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----\s(?:[A-Za-z0-9-]+: [^\n]*\n|\s)*[A-Za-z0-9+/=\s]{64,}'''
keywords = ["private key"]
[[rules.allowlists]]
description = "examples and test data of installed software"
paths = ['''/tests?/''', '''_test\.''', '''^usr/lib/python3/dist-packages/cloudinit/config/''']

[[rules]]
id = "age-secret-key"
description = "a secret key of age"
regex = '''AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}'''
keywords = ["age-secret-key-1"]

[[rules]]
id = "aws-access-key-id"
description = "an access key id of AWS"
regex = '''\b((?:AKIA|ASIA)[A-Z2-7]{16})\b'''
entropy = 3
keywords = ["akia", "asia"]
[[rules.allowlists]]
regexes = ['''EXAMPLE$''']

[[rules]]
id = "azure-storage-key"
description = "an account key of Azure Storage"
regex = '''AccountKey=([A-Za-z0-9+/]{86}==)'''
keywords = ["accountkey="]

[[rules]]
id = "gcp-service-account"
description = "a key of a Google Cloud service account"
regex = '''"private_key_id":\s*"([0-9a-f]{40})"'''
keywords = ["private_key_id"]

[[rules]]
id = "google-api-key"
description = "an API key of Google"
regex = '''\b(AIza[0-9A-Za-z_-]{35})(?:[^0-9A-Za-z_-]|$)'''
entropy = 3
keywords = ["aiza"]

[[rules]]
id = "github-token"
description = "a token of GitHub"
regex = '''\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{82})\b'''
entropy = 3
keywords = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"]

[[rules]]
id = "gitlab-token"
description = "a token of GitLab"
regex = '''\b(gl(?:pat|dt|rt|ptt|soat|ft)-[A-Za-z0-9_-]{20,50})'''
entropy = 3
keywords = ["glpat-", "gldt-", "glrt-", "glptt-", "glsoat-", "glft-"]

[[rules]]
id = "slack-token"
description = "a token of Slack"
regex = '''\b(xox[abeprs]-(?:[0-9]+-){1,4}[0-9A-Za-z-]{8,})'''
keywords = ["xoxa-", "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxs-"]

[[rules]]
id = "slack-webhook"
description = "a webhook of Slack"
regex = '''hooks\.slack\.com/services/(T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{20,})'''
keywords = ["hooks.slack.com"]

[[rules]]
id = "stripe-key"
description = "a live key of Stripe"
regex = '''\b([rs]k_live_[0-9A-Za-z]{16,})\b'''
keywords = ["k_live_"]

[[rules]]
id = "npm-token"
description = "a token of npm"
regex = '''\b(npm_[A-Za-z0-9]{36})\b'''
entropy = 3
keywords = ["npm_"]

[[rules]]
id = "pypi-token"
description = "an upload token of PyPI"
regex = '''\b(pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,})'''
keywords = ["pypi-ageichlwas5vcmc"]

[[rules]]
id = "vault-token"
description = "a token of Vault or OpenBao"
regex = '''\b(hv[sbr]\.[A-Za-z0-9_-]{24,})(?:[^A-Za-z0-9_-]|$)'''
entropy = 3.5
keywords = ["hvs.", "hvb.", "hvr."]

[[rules]]
id = "digitalocean-token"
description = "a token of DigitalOcean"
regex = '''\b(do[opr]_v1_[a-f0-9]{64})\b'''
keywords = ["dop_v1_", "doo_v1_", "dor_v1_"]

[[rules]]
id = "sendgrid-key"
description = "an API key of SendGrid"
regex = '''\b(SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})(?:[^A-Za-z0-9_-]|$)'''
keywords = ["sg."]

[[rules]]
id = "registry-login"
description = "a login to a container registry"
regex = '''"auth"\s*:\s*"([A-Za-z0-9+/]{8,}={0,2})"'''
path = '''(^|/)(\.docker/config\.json|\.dockercfg|containers/auth\.json)$'''
keywords = ["\"auth\""]

[[rules]]
id = "netrc-password"
description = "a password in .netrc"
regex = '''\bpassword\s+(\S+)'''
path = '''(^|/)[._]netrc$'''
keywords = ["password"]

[[rules]]
id = "url-password"
description = "a password in a URL"
regex = '''\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@"'<>{}\[\]()$%]{1,60}:([^\s:/@"'<>{}\[\]()$%]{6,100})@[a-zA-Z0-9]'''
path = '''^(etc|root|home|opt|srv)/'''
entropy = 2.5
keywords = ["://"]
[[rules.allowlists]]
stopwords = ["password", "passwd", "secret", "example", "changeme", "hunter2"]
`;
