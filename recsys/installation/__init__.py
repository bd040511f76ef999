"""The installation: where its files are, which optional packages it has, which plug-ins a package contains."""
