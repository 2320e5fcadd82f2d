def preload(parser):
    parser.add_argument("--page-of-a-test", default="unset")
