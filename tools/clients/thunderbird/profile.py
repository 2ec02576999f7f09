"""A Thunderbird of its own: a profile with one account, started without a screen and driven through Marionette."""

import base64
import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.clients.served import HOST, Served
from tools.clients.thunderbird.marionette import Marionette, port_of
from tools.crash import PASSWORD, TIMEOUT

SIZE: Final = ("1500", "950")
QUIET: Final = {
    "marionette.port": 0,
    "app.update.enabled": False,
    "app.donation.eoy.version.viewed": 999,
    "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.rights.version": 1,
    "mail.shell.checkDefaultClient": False,
    "mailnews.start_page.enabled": False,
    "mailnews.start_page_override.mstone": "ignore",
    "mail.biff.show_alert": False,
    "mail.biff.play_sound": False,
    "mailnews.reuse_message_window": True,
    "mail.pane_config.dynamic": 0,
    "mail.threadpane.listview": 1,
}
"""No greetings, no calls home, no pop-ups."""
WORK: Final = Path(__file__).with_name("work.js")


@dataclass(frozen=True, slots=True)
class Thunderbird:
    """One that runs."""

    marionette: Marionette

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns, with the functions of work.js at hand. Raises ScriptFailed."""
        return self.marionette.run(f"{WORK.read_text()}\n{script}", *arguments)

    def screenshot(self, path: Path) -> None:
        """Its window as a PNG."""
        shot = self.marionette.command("WebDriver:TakeScreenshot", full=False)
        path.write_bytes(base64.b64decode(shot["value"]))


def make_profile(served: Served, profile: Path, name: str, settings: dict[str, Any] | None = None) -> None:
    """Write the settings of an account whose login and local part are `name`."""
    profile.mkdir()
    server, identity, outgoing = "mail.server.server1", "mail.identity.id1", "mail.smtpserver.smtp1"
    account = {
        "mail.accountmanager.accounts": "account1",
        "mail.accountmanager.defaultaccount": "account1",
        "mail.account.account1.server": "server1",
        "mail.account.account1.identities": "id1",
        f"{server}.type": "imap",
        f"{server}.name": f"{name}@example.test",
        f"{server}.hostname": HOST,
        f"{server}.port": served.port(993),
        f"{server}.userName": name,
        f"{server}.socketType": 3,
        f"{server}.authMethod": 3,
        f"{server}.login_at_startup": False,
        f"{server}.check_new_mail": False,
        f"{identity}.fullName": "Anna Keramik",
        f"{identity}.useremail": f"{name}@example.test",
        f"{identity}.smtpServer": "smtp1",
        f"{identity}.valid": True,
        "mail.smtpservers": "smtp1",
        "mail.smtp.defaultserver": "smtp1",
        f"{outgoing}.type": "smtp",
        f"{outgoing}.hostname": HOST,
        f"{outgoing}.port": served.port(465),
        f"{outgoing}.username": name,
        f"{outgoing}.try_ssl": 3,
        f"{outgoing}.authMethod": 3,
    }
    lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in (QUIET | account | (settings or {})).items())
    (profile / "user.js").write_text("\n".join(lines) + "\n")


@contextlib.contextmanager
def thunderbird(program: str, served: Served, profile: Path, name: str) -> Iterator[Thunderbird]:
    """Start it on a profile; it trusts the served CA and knows the account's password. It quits at the end."""
    (profile / "MarionetteActivePort").unlink(missing_ok=True)
    command = [program, "--profile", str(profile), "--no-remote", "--headless"]
    environment = os.environ | {
        "HOME": str(profile), "MOZ_HEADLESS_WIDTH": SIZE[0], "MOZ_HEADLESS_HEIGHT": SIZE[1], "LC_ALL": "C.UTF-8"
    }  # fmt: skip
    with (profile / "output.txt").open("ab") as output:
        process = subprocess.Popen(
            [*command, "--marionette", "--remote-allow-system-access"], stdout=output, stderr=output, env=environment
        )
    try:
        with Marionette(port_of(profile)) as marionette:
            running = Thunderbird(marionette)
            certificate = served.ca.read_text().split("-----")[2].replace("\n", "")
            running.run("await trust(args[0]); await remember(...args.slice(1))", certificate, HOST, name, PASSWORD)
            yield running
            with contextlib.suppress(OSError):
                marionette.command("Marionette:Quit", flags=["eAttemptQuit"])
            process.wait(TIMEOUT)
    finally:
        process.kill()
        process.wait()
