"""The command behind `scripts/inference --serve`."""

import sys

from inference_house.triton import main

if __name__ == "__main__":
    sys.exit(main())
