// Until the first source of this folder is there.
