"""`python -m simsearch`: the same as the `simsearch` command."""

from simsearch.cli.main import main

if __name__ == "__main__":
    main()
