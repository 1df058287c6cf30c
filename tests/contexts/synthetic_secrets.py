"""Made-up secrets of many kinds, each in the dress it has in a log; random, and put together only when asked for.

Nothing here is, or contains, a credential: every random part is drawn when `synthetic_secrets` is called.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

DIGITS, HEX = string.digits, "0123456789abcdef"
LOWER, UPPER, WORD = string.ascii_lowercase + DIGITS, string.ascii_uppercase + DIGITS, string.ascii_letters + DIGITS
URLSAFE, BASE64, BASE32 = WORD + "-_", WORD + "+/", string.ascii_uppercase + "234567"


@dataclass(frozen=True, slots=True)
class Synthetic:
    """One made-up secret: its kind, the text it stands in, and the parts that must not be left."""

    kind: str
    text: str
    secrets: tuple[str, ...]


def synthetic_secrets(seed: int) -> Iterator[Synthetic]:
    """Yield one made-up secret of every kind."""
    for kind, make in KINDS.items():
        text, *secrets = make(Dice(f"{seed} {kind}"))
        yield Synthetic(kind, text, tuple(secrets))


class Dice(random.Random):
    """Draws strings that have what random ones have: several kinds of letters, at least one of each."""

    def of(self, letters: str, length: int) -> str:
        drawn = self.choices(letters, k=length)
        groups = [
            group for group in (DIGITS, string.ascii_lowercase, string.ascii_uppercase) if set(group) & set(letters)
        ]
        for place, group in zip(self.sample(range(length), min(len(groups), length)), groups, strict=False):
            drawn[place] = self.choice(sorted(set(group) & set(letters)))
        return "".join(drawn)

    def hex(self, length: int) -> str:
        return self.of(HEX, length)

    def uuid(self) -> str:
        return "-".join(self.hex(length) for length in (8, 4, 4, 4, 12))

    def base64(self, size: int) -> str:
        return base64.b64encode(self.randbytes(size)).decode()

    def password(self) -> str:
        return self.of(string.ascii_letters, 9) + self.of(DIGITS, 4) + self.choice("!$%^*~.") + self.of(WORD, 4)

    def jwt(self) -> str:
        def part(value: object) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

        return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part({'sub': self.of(DIGITS, 10)})}.{self.of(URLSAFE, 43)}"

    def key(self, label: str) -> str:
        body = self.base64(300)
        lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
        return f"-----BEGIN {label}PRIVATE " + f"KEY-----\n{lines}\n-----END {label}PRIVATE " + "KEY-----"


Make = Callable[[Dice], tuple[str, ...]]


def plain(prefix: str, letters: str, length: int, *, after: str = "") -> Make:
    """A token of a fixed beginning, alone in the line."""

    def make(dice: Dice) -> tuple[str, ...]:
        token = prefix + dice.of(letters, length) + after
        return f"using {token} now", token

    return make


def named(name: str, letters: str, length: int, form: str = "{name}={value}") -> Make:
    """A value that only its name tells of."""

    def make(dice: Dice) -> tuple[str, ...]:
        value = dice.of(letters, length)
        return form.format(name=name, value=value), value

    return make


def password(form: str) -> Make:
    def make(dice: Dice) -> tuple[str, ...]:
        value = dice.password()
        return form.replace("@@", value), value

    return make


def private_key(label: str, one_line: bool = False) -> Make:
    def make(dice: Dice) -> tuple[str, ...]:
        key = dice.key(label)
        lines = tuple(line for line in key.split("\n") if "-" not in line)
        return (json.dumps({"k": key}) if one_line else f"key:\n{key}"), *lines

    return make


def service_account(dice: Dice) -> tuple[str, ...]:
    key = dice.key("")
    account = {"type": "service_account", "private_key_id": (own := dice.hex(40)), "private_key": key}
    return json.dumps(account), own, *(line for line in key.split("\n") if "-" not in line)


def whole(make: Callable[[Dice], str]) -> Make:
    def made(dice: Dice) -> tuple[str, ...]:
        token = make(dice)
        return f"using {token} now", token

    return made


def within(form: str, make: Callable[[Dice], str]) -> Make:
    def made(dice: Dice) -> tuple[str, ...]:
        token = make(dice)
        return form.replace("@@", token), token

    return made


def basic(form: str) -> Make:
    return within(form, lambda dice: base64.b64encode(f"deploy:{dice.password()}".encode()).decode())


KINDS: dict[str, Make] = {
    # cloud providers
    "aws access key id": plain("AKIA", BASE32, 16),
    "aws temporary key id": plain("ASIA", BASE32, 16),
    "aws secret by name": named("aws_secret_access_key", BASE64, 40),
    "aws secret in the environment": named("AWS_SECRET_ACCESS_KEY", BASE64, 40, "export {name}={value}"),
    "aws secret in JSON": named("SecretAccessKey", BASE64, 40, '{{"{name}": "{value}"}}'),
    "aws session token": named("aws_session_token", BASE64, 356),
    "aws session token in JSON": named("SessionToken", BASE64, 420, '"{name}": "{value}"'),
    "aws bedrock key": plain("ABSK", BASE64, 128),
    "gcp api key": plain("AIza", URLSAFE, 35),
    "gcp client secret": plain("GOCSPX-", URLSAFE, 28),
    "google access token": plain("ya29.a0", URLSAFE, 120),
    "google refresh token": plain("1//0", URLSAFE, 90),
    "gcp service account on one line": service_account,
    "azure storage key": within("AccountKey=@@;EndpointSuffix=core.windows.net", lambda d: d.base64(64)),
    "azure shared access key": within(
        "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=@@", lambda d: d.base64(32)
    ),
    "azure sas": within(
        "https://a.blob.core.windows.net/b?sv=2024-08-04&ss=b&sig=@@&se=2026",
        lambda d: d.base64(32).replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
    ),
    "azure client secret": whole(lambda d: d.of(WORD, 3) + "8Q~" + d.of(WORD + "_~.-", 33) + "a"),
    "azure devops token by name": named("AZURE_DEVOPS_EXT_PAT", LOWER, 52),
    "cloudflare user token": plain("cfut_", URLSAFE, 48),
    "cloudflare token by name": named("CLOUDFLARE_API_TOKEN", URLSAFE, 40),
    "cloudflare global key by name": named("CLOUDFLARE_API_KEY", HEX, 37),
    "cloudflare origin key": whole(lambda d: f"v1.0-{d.hex(24)}-{d.hex(146)}"),
    "r2 secret by name": named("R2_SECRET_ACCESS_KEY", HEX, 64),
    "digitalocean token": plain("dop_v1_", HEX, 64),
    "digitalocean oauth token": plain("doo_v1_", HEX, 64),
    "digitalocean refresh token": plain("dor_v1_", HEX, 64),
    "heroku key": plain("HRKU-AA", URLSAFE, 58),
    "heroku key by name": within("HEROKU_API_KEY=@@", Dice.uuid),
    "fly token": whole(lambda d: f"fm2_{d.of(BASE64, 180)}"),
    "fly one token": plain("fo1_", URLSAFE, 43),
    "netlify token": plain("nfp_", WORD, 36),
    "vercel token": plain("vcp_", WORD, 56),
    "vercel token by name": named("VERCEL_TOKEN", WORD, 24),
    "render key": plain("rnd_", WORD, 28),
    "scaleway secret": within("SCW_SECRET_KEY=@@", Dice.uuid),
    "alibaba key id": plain("LTAI", WORD, 20),
    "alibaba secret by name": named("ALIBABA_CLOUD_ACCESS_KEY_SECRET", WORD, 30),
    "tencent id": plain("AKID", WORD, 32),
    "tencent secret by name": named("TENCENTCLOUD_SECRET_KEY", WORD, 32),
    "yandex key": plain("AQVN", URLSAFE, 36),
    "yandex oauth": plain("y0_", URLSAFE, 55),
    "ibm cloud key by name": named("IBMCLOUD_API_KEY", URLSAFE, 44),
    "linode token by name": named("LINODE_TOKEN", HEX, 64),
    "planetscale token": plain("pscale_tkn_", URLSAFE, 43),
    "planetscale password": plain("pscale_pw_", URLSAFE, 43),
    "planetscale oauth": plain("pscale_oauth_", URLSAFE, 43),
    "supabase token": plain("sbp_", HEX, 40),
    "supabase secret key": plain("sb_secret_", URLSAFE, 31),
    "neon key": plain("napi_", LOWER, 64),
    "databricks token": plain("dapi", HEX, 32),
    "snowflake password": password("SNOWFLAKE_PASSWORD=@@"),
    "tailscale key": whole(lambda d: f"tskey-auth-k{d.of(WORD, 11)}CNTRL-{d.of(WORD, 32)}"),
    "tailscale api key": whole(lambda d: f"tskey-api-k{d.of(WORD, 11)}CNTRL-{d.of(WORD, 32)}"),
    # forges
    "github personal": plain("ghp_", WORD, 36),
    "github oauth": plain("gho_", WORD, 36),
    "github user to server": plain("ghu_", WORD, 36),
    "github server to server": plain("ghs_", WORD, 36),
    "github refresh": plain("ghr_", WORD, 76),
    "github fine-grained": whole(lambda d: f"github_pat_{d.of(WORD, 22)}_{d.of(WORD, 59)}"),
    "gitlab personal": plain("glpat-", URLSAFE, 20),
    "gitlab routable": whole(lambda d: f"glpat-{d.of(URLSAFE, 27)}.01.{d.of(LOWER, 9)}"),
    "gitlab deploy": plain("gldt-", URLSAFE, 20),
    "gitlab runner": plain("glrt-", URLSAFE, 20),
    "gitlab routable runner": whole(lambda d: f"glrt-t1_{d.of(URLSAFE, 27)}.01.{d.of(LOWER, 9)}"),
    "gitlab job": whole(lambda d: f"glcbt-{d.hex(2)}_{d.of(URLSAFE, 20)}"),
    "gitlab trigger": plain("glptt-", HEX, 40),
    "gitlab feed": plain("glft-", URLSAFE, 20),
    "gitlab oauth secret": plain("gloas-", HEX, 64),
    "gitlab scim": plain("glsoat-", URLSAFE, 20),
    "gitlab agent": plain("glagent-", URLSAFE, 50),
    "gitlab runner registration": plain("GR1348941", URLSAFE, 20),
    "bitbucket app password": plain("ATBB", WORD, 32),
    "bitbucket access token": plain("ATCTT3xFfGN0", URLSAFE, 172, after="=" + "1A2B3C4D"),
    "atlassian token": plain("ATATT3xFfGF0", URLSAFE, 170, after="=" + "9F8E7D6C"),
    "token as a url's user": within("https://@@@github.com/a/b.git", lambda d: d.of(WORD, 40)),
    "password of a url": password("postgresql://app:@@@db.internal:5432/app"),
    "password of a redis url": password("redis://:@@@cache:6379/0"),
    # messages
    "slack bot": whole(lambda d: f"xoxb-{d.of(DIGITS, 12)}-{d.of(DIGITS, 13)}-{d.of(WORD, 24)}"),
    "slack user": whole(lambda d: f"xoxp-{d.of(DIGITS, 12)}-{d.of(DIGITS, 12)}-{d.of(DIGITS, 13)}-{d.hex(32)}"),
    "slack app": whole(lambda d: f"xapp-1-{d.of(UPPER, 11)}-{d.of(DIGITS, 13)}-{d.hex(64)}"),
    "slack cookie": whole(lambda d: f"xoxd-{d.of(WORD, 60)}%2B{d.of(WORD, 40)}%3D%3D"),
    "slack client token": whole(lambda d: "xoxc-" + "-".join(d.of(DIGITS, 12) for _ in range(3)) + f"-{d.hex(64)}"),
    "slack refresh": whole(lambda d: f"xoxe-1-{d.of(WORD, 146)}"),
    "slack webhook": within(
        "https://hooks.slack.com/services/@@", lambda d: f"T{d.of(UPPER, 10)}/B{d.of(UPPER, 10)}/{d.of(WORD, 24)}"
    ),
    "discord bot": whole(lambda d: f"M{d.of(WORD, 25)}.{d.of(WORD, 6)}.{d.of(URLSAFE, 38)}"),
    "discord webhook": within("https://discord.com/api/webhooks/123456789012345678/@@", lambda d: d.of(URLSAFE, 68)),
    "telegram bot": whole(lambda d: f"{d.of(DIGITS, 10)}:AA{d.of(URLSAFE, 33)}"),
    "twilio key": plain("SK", HEX, 32),
    "twilio token by name": named("TWILIO_AUTH_TOKEN", HEX, 32),
    "sendgrid": whole(lambda d: f"SG.{d.of(URLSAFE, 22)}.{d.of(URLSAFE, 43)}"),
    "mailgun": plain("key-", HEX, 32),
    "mailgun of today by name": within("MAILGUN_API_KEY=@@", lambda d: f"{d.hex(32)}-{d.hex(8)}-{d.hex(8)}"),
    "mailchimp": whole(lambda d: f"{d.hex(32)}-us12"),
    "teams webhook": within(
        "https://acme.webhook.office.com/webhookb2/@@",
        lambda d: f"{d.uuid()}@{d.uuid()}/IncomingWebhook/{d.hex(32)}/{d.uuid()}",
    ),
    # money
    "stripe live": plain("sk_live_51", WORD, 97),
    "stripe restricted": plain("rk_live_51", WORD, 97),
    "stripe live of old": plain("sk_live_", WORD, 24),
    "stripe test": plain("sk_test_51", WORD, 97),
    "stripe webhook": plain("whsec_", WORD, 32),
    "square token": plain("EAAA", URLSAFE, 60),
    "square secret": plain("sq0csp-", URLSAFE, 43),
    "square access token": plain("sq0atp-", URLSAFE, 22),
    "paystack": plain("sk_live_", HEX, 40),
    "easypost": plain("EZAK", WORD, 54),
    "easypost test": plain("EZTK", WORD, 54),
    "shopify admin": plain("shpat_", HEX, 32),
    "shopify secret": plain("shpss_", HEX, 32),
    "paypal secret by name": named("PAYPAL_CLIENT_SECRET", URLSAFE, 80),
    "braintree": whole(lambda d: f"access_token$production${d.of(LOWER, 16)}${d.hex(32)}"),
    # models
    "openai project": plain("sk-proj-", URLSAFE, 156),
    "openai of old": whole(lambda d: f"sk-{d.of(WORD, 20)}T3BlbkFJ{d.of(WORD, 20)}"),
    "openai service account": plain("sk-svcacct-", URLSAFE, 120),
    "openai admin": plain("sk-admin-", URLSAFE, 120),
    "anthropic": plain("sk-ant-api03-", URLSAFE, 93, after="AA"),
    "openrouter": plain("sk-or-v1-", HEX, 64),
    "huggingface": plain("hf_", string.ascii_letters, 34),
    "groq": plain("gsk_", WORD, 52),
    "replicate": plain("r8_", WORD, 37),
    "xai": plain("xai-", WORD, 80),
    "perplexity": plain("pplx-", WORD, 48),
    "cohere by name": named("COHERE_API_KEY", WORD, 40),
    "together by name": named("TOGETHER_API_KEY", HEX, 64),
    "langsmith": whole(lambda d: f"lsv2_pt_{d.hex(32)}_{d.hex(10)}"),
    "langfuse": within("sk-lf-@@", Dice.uuid),
    "mistral by name": named("MISTRAL_API_KEY", WORD, 32),
    "deepseek": plain("sk-", HEX, 32),
    "pinecone": whole(lambda d: f"pcsk_{d.of(WORD, 6)}_{d.of(WORD, 63)}"),
    "elevenlabs": plain("sk_", HEX, 48),
    # packages
    "npm": plain("npm_", WORD, 36),
    "npmrc": within("//registry.npmjs.org/:_authToken=@@", Dice.uuid),
    "npmrc password": within("//registry.npmjs.org/:_password=@@", lambda d: d.base64(15)),
    "pypi": plain("pypi-AgEIcHlwaS5vcmc", URLSAFE, 150),
    "rubygems": plain("rubygems_", HEX, 48),
    "crates.io": plain("cio", WORD, 32),
    "nuget": plain("oy2", LOWER, 43),
    "docker token": plain("dckr_pat_", URLSAFE, 27),
    "docker auth": basic('{"auths": {"https://index.docker.io/v1/": {"auth": "@@"}}}'),
    "artifactory": plain("AKCp", WORD, 69),
    "artifactory reference": plain("cmVmdGtu", WORD, 56),
    "clojars": plain("CLOJARS_", HEX, 60),
    # tools
    "vault service": plain("hvs.", URLSAFE, 95),
    "vault batch": plain("hvb.", URLSAFE, 150),
    "vault of old": within("VAULT_TOKEN=@@", lambda d: f"s.{d.of(WORD, 24)}"),
    "terraform cloud": whole(lambda d: f"{d.of(WORD, 14)}.atlasv1.{d.of(WORD, 67)}"),
    "doppler": whole(lambda d: f"dp.pt.{d.of(WORD, 43)}"),
    "doppler service": whole(lambda d: f"dp.st.prd.{d.of(WORD, 43)}"),
    "pulumi": plain("pul-", HEX, 40),
    "1password account key": whole(lambda d: "A3-" + "-".join(d.of(UPPER, n) for n in (6, 6, 5, 5, 5, 5))),
    "1password service account": within("ops_@@", lambda d: "eyJ" + d.of(BASE64, 320)),
    "age": plain("AGE-SECRET-KEY-1", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58),
    "grafana": whole(lambda d: f"glsa_{d.of(WORD, 32)}_{d.hex(8)}"),
    "grafana cloud": within("glc_@@", lambda d: "eyJ" + d.of(WORD, 120)),
    "newrelic": plain("NRAK-", UPPER, 27),
    "postman": whole(lambda d: f"PMAK-{d.hex(24)}-{d.hex(34)}"),
    "linear": plain("lin_api_", WORD, 40),
    "notion": plain("ntn_", WORD, 46),
    "notion of old": plain("secret_", WORD, 43),
    "airtable": whole(lambda d: f"pat{d.of(WORD, 14)}.{d.hex(64)}"),
    "figma": plain("figd_", URLSAFE, 40),
    "dropbox": plain("sl.u.", URLSAFE, 150),
    "dropbox of old": plain("sl.", URLSAFE, 136),
    "asana": whole(lambda d: f"2/{d.of(DIGITS, 16)}/{d.of(DIGITS, 16)}:{d.hex(32)}"),
    "asana of old": whole(lambda d: f"1/{d.of(DIGITS, 16)}:{d.hex(32)}"),
    "datadog by name": named("DD_API_KEY", HEX, 32),
    "datadog application by name": named("DD_APP_KEY", HEX, 40),
    "sentry user": plain("sntryu_", HEX, 64),
    "sentry organisation": within("sntrys_@@", lambda d: "eyJ" + d.of(BASE64, 120) + "_" + d.of(BASE64, 43)),
    "sentry dsn": within("https://@@@o447951.ingest.sentry.io/5429219", lambda d: d.hex(32)),
    "fastly by name": named("FASTLY_API_TOKEN", URLSAFE, 32),
    "hcaptcha": plain("ES_", HEX, 32),
    "hcaptcha of old": named("HCAPTCHA_SECRET", HEX, 40),
    "prefect": plain("pnu_", WORD, 36),
    "sonarqube": plain("sqp_", HEX, 40),
    "buildkite": plain("bkua_", HEX, 40),
    "circleci": whole(lambda d: f"CCIPAT_{d.of(WORD, 22)}_{d.hex(40)}"),
    "snyk by name": within("SNYK_TOKEN=@@", Dice.uuid),
    "okta by name": within("OKTA_API_TOKEN=@@", lambda d: "00" + d.of(URLSAFE, 40)),
    "contentful": plain("CFPAT-", URLSAFE, 43),
    "typeform": whole(lambda d: f"tfp_{d.of(WORD, 40)}_{d.of(WORD, 14)}"),
    "readme": plain("rdme_", LOWER, 70),
    "hubspot": within("pat-na1-@@", Dice.uuid),
    "mapbox": whole(lambda d: f"sk.eyJ{d.of(WORD, 80)}.{d.of(URLSAFE, 22)}"),
    "wireguard": within("PrivateKey = @@", lambda d: d.base64(32)),
    "wireguard preshared": within("PresharedKey = @@", lambda d: d.base64(32)),
    # keys
    "rsa key": private_key("RSA "),
    "ec key": private_key("EC "),
    "openssh key": private_key("OPENSSH "),
    "pkcs8 key": private_key(""),
    "encrypted key": private_key("ENCRYPTED "),
    "key in JSON": private_key("", one_line=True),
    "json web token": whole(Dice.jwt),
    # by name, or by where they stand
    "password in the environment": password("DB_PASSWORD=@@"),
    "exported password": password("export PGPASSWORD=@@"),
    "quoted password": password('password = "@@"'),
    "password in YAML": password("password: @@"),
    "password in single quotes": password("'password': '@@'"),
    "root password": password("MYSQL_ROOT_PASSWORD: @@"),
    "passwd": password("smtp_passwd=@@"),
    "passphrase": password("SSH_PASSPHRASE=@@"),
    "password of ADO": password("Server=db;Database=app;User Id=sa;Password=@@;Encrypt=true"),
    "pwd of ADO": password("Server=db;Uid=sa;Pwd=@@;"),
    "password of JDBC": password("jdbc:postgresql://db/app?user=app&password=@@"),
    "password of libpq": password("host=db user=app password=@@ dbname=app"),
    "api key in JSON": named("api_key", WORD, 32, '{{"{name}": "{value}"}}'),
    "api key in camel case": named("apiKey", WORD, 32, '{name}: "{value}"'),
    "api key in the environment": named("STORE_API_KEY", WORD, 40),
    "api key of a url": named("api_key", HEX, 32, "GET https://api.example.com/v1?{name}={value}&page=2"),
    "token in the environment": named("DEPLOY_TOKEN", WORD, 40),
    "access token in JSON": named("access_token", URLSAFE, 64, '"{name}":"{value}"'),
    "refresh token in JSON": named("refresh_token", URLSAFE, 64, '"{name}": "{value}"'),
    "client secret": named("client_secret", WORD, 40),
    "secret key of Django": named("SECRET_KEY", WORD + "!@#$%^&*(-_=+)", 50, "{name} = '{value}'"),
    "secret key base of Rails": named("SECRET_KEY_BASE", HEX, 128),
    "hex of 64 by name": named("ENCRYPTION_KEY", HEX, 64),
    "signing secret": named("SIGNING_SECRET", HEX, 32),
    "webhook secret": named("WEBHOOK_SECRET", WORD, 32),
    "private token": named("PRIVATE-TOKEN", WORD, 20, "{name}: {value}"),
    "basic authorization": basic("Authorization: Basic @@"),
    "basic authorization in JSON": basic('"authorization": "Basic @@"'),
    "bearer of 32": named("", WORD, 32, "Authorization: Bearer {value}"),
    "bearer of 64": named("", URLSAFE, 64, "authorization: bearer {value}"),
    "bearer of curl": named("", URLSAFE, 48, "curl -H 'Authorization: Bearer {value}' https://api.example.com"),
    "x-api-key": named("X-API-Key", WORD, 32, "{name}: {value}"),
    "x-auth-token": named("X-Auth-Token", HEX, 40, "{name}: {value}"),
    "cookie": named("session", URLSAFE, 64, "Set-Cookie: {name}={value}; HttpOnly"),
    "htpasswd": within("admin:@@", lambda d: f"$apr1${d.of(WORD, 8)}${d.of(WORD + './', 22)}"),
    "htpasswd with bcrypt": within("admin:@@", lambda d: f"$2y$10${d.of(WORD + './', 53)}"),
    "shadow": within("root:@@:19000:0:99999:7:::", lambda d: f"$6${d.of(WORD, 16)}${d.of(WORD + './', 86)}"),
    "netrc": password("machine api.example.com login deploy password @@"),
    "curl user": password("curl -u deploy:@@ https://api.example.com/v1"),
    "curl long user": password("curl --user deploy:@@ https://api.example.com/v1"),
    "mysql": password("mysql -u root -p@@ app"),
    "sshpass": password("sshpass -p @@ ssh deploy@host"),
    "docker login": password("docker login -u deploy -p @@ registry.example.com"),
    "redis-cli": password("redis-cli -h cache -a @@ ping"),
    "long option": password("tool --password @@ --verbose"),
    "long option with equals": password("tool --password=@@"),
    "token option": named("--token", WORD, 40, "tool {name} {value}"),
}
