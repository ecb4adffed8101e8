"""``python -m flowsim`` is ``flowsim``."""

from flowsim.cli import main

if __name__ == "__main__":
    main()
