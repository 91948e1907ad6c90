# Some images tell Python to keep no bytecode: every process would compile Home Assistant anew. Ours stays in .cache/. To be sourced.

unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX="$PWD/.cache/bytecode"
