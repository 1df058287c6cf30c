"""The programs that do a track: one Protocol, one module per backend."""
