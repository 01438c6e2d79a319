"""The commands of `rag-qa`, one file each: parse, call, render."""
