"""
The dashboards: what `recsys dashboard` runs.

Processes that a page starts (`recsys.audio.worker`) read this file again under another name. There it does nothing.
"""

if __name__ == "__main__":
    from dashboards.shell import main

    main()
