"""`python -m hamvae_cli` is `hamvae`."""

from . import main

main(prog_name="hamvae")
