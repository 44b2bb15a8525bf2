"""The checks of the doctor, one file per subject: files, copies, identities, captions.

Each check takes splits or file facts and returns findings. Checks neither read files
nor print; this is done in the room above.
"""
