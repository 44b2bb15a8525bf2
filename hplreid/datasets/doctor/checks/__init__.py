"""One file per subject that the doctor checks: files, copies, identities, captions.

Each takes splits or file facts and returns findings; none reads a file or prints.
"""
