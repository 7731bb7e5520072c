#!/bin/sh
# Checks that the code that trains is portable to the real TorchSharp:
#   1. every public member of the binding exists in TorchSharp;
#   2. shared/Torch and shared/Learning compile against TorchSharp.
# Usage: check.sh /path/to/TorchSharp.dll
set -eu
[ $# -eq 1 ] && [ -f "$1" ] || { echo "Usage: check.sh /path/to/TorchSharp.dll" >&2; exit 2; }
assembly="$(realpath "$1")"
cd "$(dirname "$0")"
root="$(realpath ../..)"

dotnet build "$root/shared/Torch" --nologo -v q
dotnet run ApiCheck.cs -- "$root/shared/Torch/bin/Debug/net10.0/DmlPipeline.Torch.dll" "$assembly"

# Nothing may be left of the other provider: the two share their source folders.
for project in Torch Learning; do
  dotnet build "$root/shared/$project" --nologo -v q -p:TorchProvider=TorchSharp -p:TorchSharpAssembly="$assembly"
done
echo "The binding is a subset of TorchSharp, and Torch and Learning compile against it."
