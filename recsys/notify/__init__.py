"""Messages to operators: by e-mail, to a webhook, or to a command of their own."""
