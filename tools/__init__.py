"""What maintains the project: the results page, the bundled files, example media. Not part of the installed package."""
