"""Reports of results and of the gate's verdict. Transcripts are text of strangers: none of it is taken as markup."""
