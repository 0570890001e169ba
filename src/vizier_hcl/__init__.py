"""The template language: HCL text in, plain values or diagnostics out (spec 05)."""
