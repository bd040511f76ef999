"""E-mail over an encrypted connection."""

import smtplib
import ssl
from email.message import EmailMessage

from recsys.errors import SetupError
from recsys.notify.message import Message
from recsys.notify.secrets import Secrets
from recsys.notify.settings import NotifySettings

IMPLICIT_TLS = 465  # the port on which a connection is encrypted from the start
TIMEOUT_S = 20


def send(message: Message, settings: NotifySettings, secrets: Secrets) -> None:
    """
    Send a message to all recipients.

    Raises:
        SetupError: The server cannot be reached, has no valid certificate or refuses the login, sender or a recipient.
            The server's own words are not repeated, since they may contain addresses and names.
    """
    try:
        with _connected(settings) as server:
            if secrets.smtp_user:
                server.login(secrets.smtp_user, secrets.smtp_password)
            refused = server.send_message(_email(message, settings))
    except ssl.SSLCertVerificationError as untrusted:
        raise SetupError(f"{settings.smtp_host} has no valid certificate ({untrusted.verify_message})") from None
    except smtplib.SMTPResponseException as failed:
        raise SetupError(f"{settings.smtp_host} refused the e-mail (code {failed.smtp_code})") from None
    except (smtplib.SMTPException, OSError) as failed:
        raise SetupError(f"{settings.smtp_host} could not be used ({type(failed).__name__})") from None
    if refused:
        raise SetupError(f"{settings.smtp_host} refused {len(refused)} of {len(settings.email_to)} recipients")


def _connected(settings: NotifySettings) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if settings.smtp_port == IMPLICIT_TLS:
        return smtplib.SMTP_SSL(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_S, context=context)
    server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT_S)
    try:
        server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def _email(message: Message, settings: NotifySettings) -> EmailMessage:
    email = EmailMessage()
    email["Subject"], email["From"], email["To"] = message.subject, settings.email_from, ", ".join(settings.email_to)
    email["Auto-Submitted"] = "auto-generated"  # so that nobody's absence note replies
    email.set_content(message.text)
    return email
